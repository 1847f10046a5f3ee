"""The chat model behind the Bedrock and Azure OpenAI stand-ins: it reads a prompt and answers from what stands in it.

It is no language model. It knows the vocabulary of one invented company and five kinds of prompts about it, and it
answers from the prompt alone, never by a case's id: what a translation loses is missing from the answer. How it words
an answer is drawn anew at every call, from a seed, the server's side, the request and how often it was asked.

`company.py` holds the vocabulary, `prompt.py` what passes between a server and the model, `model.py` the answers,
`wording.py` their paraphrases, `faults.py` what a planted fault does to them.
"""

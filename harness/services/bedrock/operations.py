"""Operations of the runtime as API and recordings call them, and the header of a Wire that names the model."""

from __future__ import annotations

CONVERSE = "Converse"
CONVERSE_STREAM = "ConverseStream"
INVOKE = "InvokeModel"
INVOKE_STREAM = "InvokeModelWithResponseStream"
STREAMS = (CONVERSE_STREAM, INVOKE_STREAM)
# The OpenAI-compatible route (/openai/v1/chat/completions). Its recordings are read; they go out through InvokeModel.
CHAT_COMPLETIONS = "chat.completions"

# In the headers of a Wire: the model that is called, which HTTP says in the path.
MODEL = "x-parity-model"

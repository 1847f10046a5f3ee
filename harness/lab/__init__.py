"""Local stand-ins for the clouds, on loopback: real models, real servers, the clouds' own refusals, faults on demand.

Started by the doors only. Nothing here shares code with the rest of the house: a stand-in that used our codecs would
agree with our mistakes.
"""

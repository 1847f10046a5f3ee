"""Local stand-ins for the clouds, on loopback: real models, real servers, the clouds' own refusals, faults on demand.

`start()` brings up a process each: SageMaker runtime (with STS), Azure ML scoring, Bedrock runtime, Azure OpenAI,
and the resource manager that MLClient asks (with a managed identity's token endpoint). `up`, `status`, `attach` and
`down` do it for a lab that outlives its command, and `use` gives a run either. Started by the doors only. Nothing here
shares code with the rest of the house: a stand-in that used our codecs would agree with our mistakes.

To add a server: a role in `child.py`, a handler `Request -> Reply` (see `loopback.py`), and its refusals in the cloud's
own shape. To add a fault: `plants.py`.
"""

from harness.lab.borrowed import planted, use
from harness.lab.detached import attach, down, status, up
from harness.lab.lifecycle import Controls, Lab, start
from harness.lab.plants import PLANTS, Plant
from harness.lab.settings import (
    BOTH,
    CLIENT,
    DEPLOYMENT,
    ENDPOINT,
    EXTERNAL_ID,
    PROFILE,
    REGION,
    RESOURCE_GROUP,
    ROLE,
    SUBSCRIPTION,
    WORKSPACE,
)

__all__ = [
    "BOTH",
    "CLIENT",
    "DEPLOYMENT",
    "ENDPOINT",
    "EXTERNAL_ID",
    "PLANTS",
    "PROFILE",
    "REGION",
    "RESOURCE_GROUP",
    "ROLE",
    "SUBSCRIPTION",
    "WORKSPACE",
    "Controls",
    "Lab",
    "Plant",
    "attach",
    "down",
    "planted",
    "start",
    "status",
    "up",
    "use",
]

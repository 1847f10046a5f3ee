from harness.config import Limits as Limits
from harness.config import Profile as Profile
from harness.config import Project as Project
from harness.config import SideSettings as SideSettings
from harness.config import Suite as Suite
from harness.config import load_project as load_project
from harness.config import load_suite as load_suite
from harness.core.call import Answer as Answer
from harness.core.call import CallFailure as CallFailure
from harness.core.call import Event as Event
from harness.core.call import FailureKind as FailureKind
from harness.core.call import Observation as Observation
from harness.core.call import Outcome as Outcome
from harness.core.call import Reading as Reading
from harness.core.call import Role as Role
from harness.core.call import Side as Side
from harness.core.call import Tokens as Tokens
from harness.core.call import Unreadable as Unreadable
from harness.core.call import Wait as Wait
from harness.core.call import Wire as Wire
from harness.core.case import Case as Case
from harness.core.case import Departure as Departure
from harness.core.case import Json as Json
from harness.core.case import Lot as Lot
from harness.core.case import Provenance as Provenance
from harness.core.case import Recording as Recording
from harness.core.case import Request as Request
from harness.core.case import Task as Task
from harness.core.case import Translation as Translation
from harness.core.chat import Conversation as Conversation
from harness.core.output import Chat as Chat
from harness.core.output import Citation as Citation
from harness.core.output import Document as Document
from harness.core.output import Embedding as Embedding
from harness.core.output import Filter as Filter
from harness.core.output import Hit as Hit
from harness.core.output import Images as Images
from harness.core.output import Output as Output
from harness.core.output import Retrieved as Retrieved
from harness.core.output import SafetyAction as SafetyAction
from harness.core.output import Scores as Scores
from harness.core.output import Span as Span
from harness.core.output import Step as Step
from harness.core.output import StopReason as StopReason
from harness.core.output import ToolCall as ToolCall
from harness.core.output import Trajectory as Trajectory
from harness.core.protocols import Codec as Codec
from harness.core.protocols import Comparator as Comparator
from harness.core.protocols import Endpoint as Endpoint
from harness.core.protocols import Labeller as Labeller
from harness.core.protocols import Pair as Pair
from harness.core.protocols import Reporter as Reporter
from harness.core.protocols import Service as Service
from harness.core.report import ParityReport as ParityReport
from harness.core.report import Payloads as Payloads
from harness.core.rows import Rows as Rows
from harness.core.traffic import Shares as Shares
from harness.core.traffic import Switch as Switch
from harness.core.verdict import Comparison as Comparison
from harness.core.verdict import Decision as Decision
from harness.core.verdict import Evidence as Evidence
from harness.core.verdict import Finding as Finding
from harness.core.verdict import Row as Row
from harness.core.verdict import RowStatus as RowStatus
from harness.core.verdict import Status as Status
from harness.core.verdict import Verdict as Verdict
from harness.errors import CodecError as CodecError
from harness.errors import ConfigError as ConfigError
from harness.errors import Denied as Denied
from harness.errors import EvidenceError as EvidenceError
from harness.errors import ForbiddenDeparture as ForbiddenDeparture
from harness.errors import GoldenError as GoldenError
from harness.errors import HarnessError as HarnessError
from harness.errors import LabError as LabError
from harness.errors import LedgerError as LedgerError
from harness.errors import PolicyError as PolicyError
from harness.errors import Rejected as Rejected
from harness.errors import RowsError as RowsError
from harness.errors import ServiceError as ServiceError
from harness.errors import SwitchBusy as SwitchBusy
from harness.errors import SwitchError as SwitchError
from harness.errors import Throttled as Throttled
from harness.errors import TimedOut as TimedOut
from harness.errors import TooFewCases as TooFewCases
from harness.errors import Unavailable as Unavailable
from harness.errors import UnencodableRequest as UnencodableRequest
from harness.errors import UnknownName as UnknownName
from harness.errors import UnreadableReply as UnreadableReply
from harness.gate.decide import decide as decide
from harness.gate.policy import Policy as Policy
from harness.gate.policy import load_policy as load_policy
from harness.gate.rows_file import read_rows as read_rows
from harness.gate.rows_file import write_rows as write_rows
from harness.recordings.lines import StoredCase as StoredCase
from harness.recordings.store import GoldenSet as GoldenSet
from harness.recordings.store import write as write_golden
from harness.run.folder import RunFolder as RunFolder
from harness.run.plan import Plan as Plan
from harness.run.plan import make as make_plan
from harness.run.session import Finished as Finished
from harness.run.session import decide_stored as decide_stored
from harness.run.session import judge_again as judge_again
from harness.run.session import run as run_plan

__version__: str

__all__ = [
    "Answer",
    "CallFailure",
    "Case",
    "Chat",
    "Citation",
    "Codec",
    "CodecError",
    "Comparator",
    "Comparison",
    "ConfigError",
    "Conversation",
    "Decision",
    "Denied",
    "Departure",
    "Document",
    "Embedding",
    "Endpoint",
    "Event",
    "Evidence",
    "EvidenceError",
    "FailureKind",
    "Filter",
    "Finding",
    "Finished",
    "ForbiddenDeparture",
    "GoldenError",
    "GoldenSet",
    "HarnessError",
    "Hit",
    "Images",
    "Json",
    "LabError",
    "Labeller",
    "LedgerError",
    "Limits",
    "Lot",
    "Observation",
    "Outcome",
    "Output",
    "Pair",
    "ParityReport",
    "Payloads",
    "Plan",
    "Policy",
    "PolicyError",
    "Profile",
    "Project",
    "Provenance",
    "Reading",
    "Recording",
    "Rejected",
    "Reporter",
    "Request",
    "Retrieved",
    "Role",
    "Row",
    "RowStatus",
    "Rows",
    "RowsError",
    "RunFolder",
    "SafetyAction",
    "Scores",
    "Service",
    "ServiceError",
    "Shares",
    "Side",
    "SideSettings",
    "Span",
    "Status",
    "Step",
    "StopReason",
    "StoredCase",
    "Suite",
    "Switch",
    "SwitchBusy",
    "SwitchError",
    "Task",
    "Throttled",
    "TimedOut",
    "Tokens",
    "TooFewCases",
    "ToolCall",
    "Trajectory",
    "Translation",
    "Unavailable",
    "UnencodableRequest",
    "UnknownName",
    "Unreadable",
    "UnreadableReply",
    "Verdict",
    "Wait",
    "Wire",
    "__version__",
    "decide",
    "decide_stored",
    "judge_again",
    "load_policy",
    "load_project",
    "load_suite",
    "make_plan",
    "read_rows",
    "run_plan",
    "write_golden",
    "write_rows",
]

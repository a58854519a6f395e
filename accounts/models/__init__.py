"""Models of accounts."""

from __future__ import annotations

from accounts.models.consent import (
    ConsentEvent,
    ConsentHead,
    ConsentRegister,
    ConsentSubject,
    ConsentText,
)
from accounts.models.counter import Counter
from accounts.models.deletion import (
    DeletionRequest,
    ErasureEntry,
    ErasureList,
    ErasureNeedle,
    ResidueFinding,
)
from accounts.models.export import DataExport
from accounts.models.idempotency import IdempotencyRecord
from accounts.models.job import ScheduledJob
from accounts.models.kept_file import FilePiece, KeptFile
from accounts.models.linked_account import LinkedAccount
from accounts.models.nightly_work import NightJob
from accounts.models.process import SiteProcess
from accounts.models.quota import QuotaUse, VisitorQuotaUse
from accounts.models.staff_view import StaffView
from accounts.models.suppression import PrivacyRequest, SuppressedPerson
from accounts.models.token import AccessToken
from accounts.models.user import User

__all__ = [
    "AccessToken",
    "ConsentEvent",
    "ConsentHead",
    "ConsentRegister",
    "ConsentSubject",
    "ConsentText",
    "Counter",
    "DataExport",
    "DeletionRequest",
    "ErasureEntry",
    "ErasureList",
    "ErasureNeedle",
    "FilePiece",
    "IdempotencyRecord",
    "KeptFile",
    "LinkedAccount",
    "NightJob",
    "PrivacyRequest",
    "QuotaUse",
    "ResidueFinding",
    "ScheduledJob",
    "SiteProcess",
    "StaffView",
    "SuppressedPerson",
    "User",
    "VisitorQuotaUse",
]

from __future__ import annotations

from accounts.models.consent import (
    ConsentEvent,
    ConsentHead,
    ConsentRegister,
    ConsentSubject,
    ConsentText,
)
from accounts.models.deletion import (
    DeletionRequest,
    ErasureEntry,
    ErasureList,
    ErasureNeedle,
    ResidueFinding,
)
from accounts.models.export import DataExport
from accounts.models.host import Host
from accounts.models.idempotency import IdempotencyRecord
from accounts.models.kept_file import FilePiece, KeptFile
from accounts.models.linked import LinkedAccount
from accounts.models.night import NightJob
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
    "DataExport",
    "DeletionRequest",
    "ErasureEntry",
    "ErasureList",
    "ErasureNeedle",
    "FilePiece",
    "Host",
    "IdempotencyRecord",
    "KeptFile",
    "LinkedAccount",
    "NightJob",
    "PrivacyRequest",
    "QuotaUse",
    "ResidueFinding",
    "StaffView",
    "SuppressedPerson",
    "User",
    "VisitorQuotaUse",
]

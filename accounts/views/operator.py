"""The site's operator, for the imprint and GDPR article 13."""

from __future__ import annotations

from django.conf import settings


def operator() -> dict[str, str]:
    """`name`, `address` (lines) and `email`; what the operator did not set is ""."""
    return {
        "name": settings.OPERATOR_NAME,
        # An environment variable has no line breaks: the address is written with "\n" or ";".
        "address": settings.OPERATOR_ADDRESS.replace("\\n", "\n").replace("; ", "\n"),
        "email": settings.OPERATOR_EMAIL or settings.DEFAULT_FROM_EMAIL,
    }

"""Times in templates by the site's one clock; Django's own filters ask another."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import timezone

from accounts import clock
from followersync.texts import formats

register = template.Library()
register.filter("ago", formats.ago)


@register.simple_tag
def today() -> datetime:
    """The present moment where the reader is."""
    return timezone.localtime(timezone.now() + clock.ahead())

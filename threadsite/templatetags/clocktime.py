"""Template tags for times by the site's clock, which Django's own filters do not use."""

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
    """The present moment in the reader's time zone."""
    return timezone.localtime(timezone.now() + clock.ahead())

"""Webhooks: inbound from Instagram, outbound to members' programs."""

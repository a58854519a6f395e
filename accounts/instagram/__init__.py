"""The Instagram app: sign-in provider, gateway, webhooks and sandbox."""

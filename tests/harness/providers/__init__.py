# SPDX-License-Identifier: Apache-2.0
"""Local servers that stand for the services people are told by.

Each checks a request as its provider's documentation states the limits, and answers good and bad ones as the provider
does. What was accepted can be read as a person would see it, and says what of it would have been interpreted
(formatting, links, mentions). Any of them can be told to misbehave: see server.Provider.next().
"""

from harness.providers.discord import Discord
from harness.providers.dokploy import Dokploy
from harness.providers.gotify import Gotify
from harness.providers.ntfy import Ntfy
from harness.providers.server import Provider
from harness.providers.slack import Slack
from harness.providers.teams import Teams
from harness.providers.telegram import Telegram
from harness.providers.webhook import Webhook

__all__ = ["Discord", "Dokploy", "Gotify", "Ntfy", "Provider", "Slack", "Teams", "Telegram", "Webhook"]

"""benchsuite: how far can a cheap estimate of an architecture's quality be trusted?"""

from __future__ import annotations

__version__ = "0.1.0"

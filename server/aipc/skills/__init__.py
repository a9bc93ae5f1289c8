"""Agent Skills: what an agent reads to work with AIPC, and where each agent looks for them. Light."""

from .agents import AGENTS, Agent, get_agent
from .files import Skill, all_skills, problems
from .install import Installed, install

__all__ = ["AGENTS", "Agent", "Installed", "Skill", "all_skills", "get_agent", "install", "problems"]

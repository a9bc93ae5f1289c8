"""Rewrites: what QAIRT refuses or computes wrongly, in forms that it takes and computes rightly, each with a proof."""

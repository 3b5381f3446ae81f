"""Learning: from attempts to gated edits. Proposes and decides; does not write to disk."""

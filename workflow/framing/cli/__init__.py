"""What the command ``framing`` does with trained models and cues, a module a subcommand."""

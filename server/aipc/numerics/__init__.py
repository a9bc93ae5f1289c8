"""What arrays say of arrays: metrics, correctly rounded fp16, runs on the CPU. Nothing here knows QAIRT."""

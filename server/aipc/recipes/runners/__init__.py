"""Host programs of applications. They are copied into packages: each needs only what its page of help names."""

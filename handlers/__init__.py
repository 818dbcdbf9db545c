"""The handlers decide: conversation, workflow, deadlines, notices and the verbs."""

"""How people and organizations come in: sign-up, invitations, forgotten passwords, acceptance of new texts."""

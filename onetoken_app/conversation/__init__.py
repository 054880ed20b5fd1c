"""One neutral picture of a conversation, which every dialect and every provider reads and writes.

It lives as long as its request and is kept nowhere. What one side can say and this cannot is refused by name.
"""

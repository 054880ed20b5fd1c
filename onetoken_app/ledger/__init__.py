"""The ledger: accounts, transactions, postings and holds, and the writer that commits them in groups.

A map of its modules, each group from the outside in:

- The side of the relay: ``client`` keeps the promises across a writer's death, ``writer_process`` starts one,
  ``operations`` are the messages, ``answers`` what the negative ones mean, ``spool`` keeps closes
  while the database is away, ``frames`` their way over the socket.
- The writer, a process of its own: ``writer`` waits for a batch, ``batches`` answers it in one commit, ``posting``
  decides, on ``books`` that ``store`` loads and ``saving`` writes; ``entries`` adds to the journal; ``recovery`` ends
  epochs; ``claims`` keep a request from being carried twice; ``budgets`` are hard caps, loaded and saved by
  ``budget_store``; ``backends`` and ``sql`` speak with either database.
- Pages and commands: ``service`` has the verbs that open accounts, move credit and set terms, by ``transfers`` on the
  same books; ``queries`` reads, ``verification`` recomputes all of it, with ``verification_entries``,
  ``verification_budgets``, ``entry_rules`` and ``verification_sql``.
- Everybody: ``models`` and ``schema`` are the tables, triggers and view, ``kinds`` the closed words, ``journal`` the
  rows as they are hashed, ``errors`` what is refused.

Rows of the journal are only ever inserted, and a hold is closed once: see ``models`` and ``posting``.
"""

"""Commands: from a message to a reply.

A command parses, asks one report or calls one action (`lms_bot.reports`, `lms_bot.pipeline.actions`), and renders. Of
the store the handlers know only the transaction and the record of questions: claims, conversations, counts, the audit.
"""

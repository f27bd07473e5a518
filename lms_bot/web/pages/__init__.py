"""The pages: what people see in a browser, with the rights that they have in Zulip."""

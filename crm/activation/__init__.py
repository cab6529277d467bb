"""Activation: a connection made by the vendor's own key. Checks the key, makes a secret, sets the vendor's webhook, and
sees later that it is still there. A connector declares it as data: `activate.py` of its folder."""

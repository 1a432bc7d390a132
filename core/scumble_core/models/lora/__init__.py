"""LoRA and its kin: small changes to a network's layers, merged into its weights when it is loaded.

Merged and not computed beside: then a change costs nothing while a picture is made, works with every family's network,
is exact in float32, and needs no further package. When the set changes, the model is loaded anew.
"""

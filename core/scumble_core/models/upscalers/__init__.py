"""Upscalers and restorers: any network that spandrel knows, one after the other where that is asked."""

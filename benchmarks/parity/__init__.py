"""Scumble against numbers recorded from the reference: what each part gives, number by number."""

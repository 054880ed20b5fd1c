"""Every word that the console shows, in English and Chinese; pages hold keys, never words."""

"""What each torch operator does on each HTP arch, measured by the installed QAIRT.

``catalogue/`` declares the cases, ``probe`` asks QAIRT about them in worker processes and writes the data file,
``matrix`` reads it and imports nothing heavy.
"""

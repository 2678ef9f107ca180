"""Duplicate audits: from pairs that may be copies to groups a person acts on, and the way back.

finding    pictures are looked at, pairs that may be copies are listed, and each is compared
grouping   what was found, and what a person said, becomes groups with a keeper
evidence   a person's labels, and the threshold that follows from them
showing    pages of groups, marks, reports and exports
acting     files into quarantine, and back
runs.py    an audit from its opening to its groups
"""

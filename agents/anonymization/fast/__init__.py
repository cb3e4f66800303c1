"""The fast path: headers rewritten over bytes, pixels left to the kernel. It never judges alone.

Whatever it does not know it leaves to the careful path, which decides and gives the reason. For what it
takes, both give the same bytes: they share the rules, what is made of a value, and what is admitted.
"""

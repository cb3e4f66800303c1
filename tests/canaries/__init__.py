"""What must not come out: objects full of planted values, a search for them, and files that mean harm.

* `words`, `person`, `planting`, `oracle`: unique values, the person they belong to, where each was put, and
  what Table E.1-1 says of it, read from the table alone.
* `table_objects`, `dictionary_objects`, `classes`, `documents`, `drawn`, `real`: objects that carry them;
  `writing`: in every syntax. `traps`: objects with one thing each that must not get through.
* `views`, `finding`, `checks`: the search in raw and in decoded bytes, however a value is spelled.
* `hostile`, `limits`: files that mean harm, and a process that says what they cost.
* `waiting`: what gets through today.
"""

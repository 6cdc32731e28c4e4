"""When and in which order the library runs: thin Dagster definitions, no arithmetic, no SQL."""

"""Apache Spark as a second engine, through Ibis: everything that it says otherwise than DuckDB is in this room.

The rest of the house writes Ibis expressions and means by them what DuckDB does. `compiler.py` gives Spark's way of
saying the same, node by node; `expressions.py` does so for regular expressions; `connection.py` for tables and rows.
Nothing here is imported unless somebody connects to Spark, which needs the extra `spark` and a Java runtime.
"""

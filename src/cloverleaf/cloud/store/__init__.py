"""The lake: decoded records in Parquet files by hour and cell, written once, queried by DuckDB, replayed at any speed."""

"""Files on S3, Google Cloud Storage, Azure and HDFS, read through pyarrow's file systems."""

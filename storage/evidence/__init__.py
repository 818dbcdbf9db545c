"""Files of reporters.

blobs: the blob store: sealed bytes; its interface, and the one in a folder
bucket: the blob store in an S3-compatible bucket
custody: commitments to files in the audit log
files: rows of files: state, sealed keys and details
"""

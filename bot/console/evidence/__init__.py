"""What a case holds, opened for reading.

contents: decrypts answers, letters, notes and files of a case and lays them out
gallery: serves the working copy of a file, its preview, and pages of a PDF
"""

"""Pictures to vectors: decoding (Pillow) and the DINOv2 network (torch). No SQL, no FAISS.

Nothing is imported here: decode children import `app.vision.pixels` and must not pay for torch.
"""

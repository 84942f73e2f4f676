"""Razorpay: payment links and UPI codes, one per attempt. `envelope` reads messages and needs no HTTP client; `adapter` asks."""

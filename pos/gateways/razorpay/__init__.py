"""Razorpay: a payment link or UPI code per attempt. `envelope` reads messages, without HTTP; `adapter` asks."""

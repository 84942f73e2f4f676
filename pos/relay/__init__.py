"""The small public server that receives webhooks and hands hints to the tills. It decides nothing about money."""

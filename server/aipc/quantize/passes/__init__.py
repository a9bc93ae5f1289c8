"""What is done to a float graph before it is quantized: one file a pass, each computes the same in fp32."""

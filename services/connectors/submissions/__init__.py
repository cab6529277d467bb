"""What a form says of its sender, whichever site or form builder it comes from: fields, their meaning, repeats."""

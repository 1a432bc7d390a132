"""Picture files in and out: PNG, JPEG, WebP, TIFF, OpenRaster and Krita's own, brought to sRGB RGBA."""

"""What is drawn over the canvas: tile grid, previews in place. Neither the document nor its undo history knows of it.

Theory of operation: `views` finds the active canvas widget and tells how it lies (`transform` has the sums), `follow`
notices when another canvas becomes active or the canvas moves, `cursor` remembers where the pointer last was over it,
`surface` is the transparent widget that `painting` fills, and `canvas` holds what is to be seen.
"""

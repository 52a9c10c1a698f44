"""What a program is: types, operations, graphs, their text form and their laws."""

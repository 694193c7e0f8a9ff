# What src/mover/foreign_root.cpp puts into rsync, as bytes in the one binary. It runs in another program: none of our
# flags, none of our libraries.
add_library(foreign_root_calls MODULE ${PROJECT_SOURCE_DIR}/src/mover/preload/foreign_root_calls.cpp)
target_compile_options(foreign_root_calls PRIVATE -Wall -Wextra -fPIC -Os -fno-exceptions -fno-rtti -fvisibility=hidden)
target_compile_definitions(foreign_root_calls PRIVATE _GNU_SOURCE)
target_link_options(foreign_root_calls PRIVATE -s -static-libgcc -Wl,--as-needed -Wl,-z,relro,-z,now)
set_target_properties(foreign_root_calls PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
set(foreign_root_library ${PROJECT_BINARY_DIR}/foreign_root_calls.so)
add_dependencies(godwit_mover foreign_root_calls)
set_source_files_properties(${PROJECT_SOURCE_DIR}/src/mover/foreign_root.cpp PROPERTIES
  SKIP_PRECOMPILE_HEADERS ON COMPILE_DEFINITIONS "GODWIT_FOREIGN_ROOT_LIBRARY=\"${foreign_root_library}\"" OBJECT_DEPENDS ${foreign_root_library})

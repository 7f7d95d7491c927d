# Flags that hold for every target, and faster tools where they are present.

add_library(windlass_flags INTERFACE)
target_compile_options(windlass_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
                                                -Werror)
# g++ 12 takes every moved std::variant for uninitialised.
target_compile_options(windlass_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
if(WINDLASS_SANITIZE)
  add_compile_options(-fsanitize=${WINDLASS_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${WINDLASS_SANITIZE})
endif()

find_program(WINDLASS_CCACHE ccache)
if(WINDLASS_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${WINDLASS_CCACHE})
endif()
find_program(WINDLASS_MOLD mold)
if(WINDLASS_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

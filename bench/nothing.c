// SPDX-License-Identifier: MIT
/* a program that does nothing */
int main(void) { return 0; }

// SPDX-License-Identifier: MIT
/* paths of the gate */
int main(void) { return 0; }

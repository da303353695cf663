export function studyPage(): string { return ''; }
